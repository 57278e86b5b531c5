# The container, by the names that users of NotiPy know. Without containers: npm start.
.PHONY: build-and-run build run stop clean

build-and-run:
	docker compose up --build

build:
	docker compose build

run:
	docker compose up

stop:
	docker compose stop

clean:
	docker compose down
